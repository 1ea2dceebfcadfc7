import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openApi } from '../../../core/api/openapi.ts';
import { validate } from '@seriousme/openapi-schema-validator';

const published = resolve(import.meta.dirname, '../../../docs/reference/openapi.json');

test('x', () => {});
