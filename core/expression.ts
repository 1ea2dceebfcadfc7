import { Environment } from '@marcbachmann/cel-js';
import { Stop, messageOf } from './errors.ts';
import { addKubernetesFunctions } from './expression/kubernetes-functions.ts';
import { loopDepth, withLinearMatches } from './expression/linear-matches.ts';
import { isJsonObject, type Json } from './model/json.ts';

/** A CEL expression that was parsed; its variables come with each evaluation. */
export interface Expression {
  readonly text: string;
  /** `computed`: variables whose values other expressions gave. */
  readonly evaluate: (
    variables: Readonly<Record<string, Json>>,
    computed?: Readonly<Record<string, unknown>>,
  ) => Evaluation;
}

/** `fault`: there is no value, and why; reading a member that is not there is one, as CEL has it (`has()` asks). */
export type Evaluation =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'fault'; readonly message: string };

const language = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits: { maxAstNodes: 2000, maxDepth: 60 },
});
addKubernetesFunctions(language);

/** Nothing can interrupt an expression: five levels over twenty items take seconds, seven hours. */
const mostLoops = 3;
const parsed = new Map<string, Expression>();

/** Parses a CEL expression; `subject` names where it stands. Throws Stop with the place of the fault in the text. */
export function expressionOf(text: string, subject: string): Expression {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  try {
    const spelt = language.parse(text);
    if (loopDepth(spelt.ast) > mostLoops)
      throw new Error(`loops stand in one another more than ${mostLoops} deep`);
    const linear = withLinearMatches(spelt.ast);
    const program = linear === undefined ? spelt : language.parse(linear);
    const evaluate: Expression['evaluate'] = (variables, computed) => {
      const context = Object.fromEntries(
        Object.entries(variables).map(([name, value]) => [name, celOf(value)]),
      );
      try {
        return { kind: 'value', value: program({ ...context, ...computed }) };
      } catch (error) {
        return { kind: 'fault', message: firstLine(error) };
      }
    };
    const expression = { text, evaluate };
    parsed.set(text, expression);
    return expression;
  } catch (cause) {
    throw new Stop({ subject, message: `is no CEL expression: ${messageOf(cause)}`, cause });
  }
}

/** Whether an expression gives true. Anything but a bool is a fault: a mistake must not pass for a no. */
export function isTrue(
  expression: Expression,
  variables: Readonly<Record<string, Json>>,
): boolean | { readonly fault: string } {
  const evaluation = expression.evaluate(variables);
  if (evaluation.kind === 'fault') return { fault: `${expression.text}: ${evaluation.message}` };
  if (typeof evaluation.value === 'boolean') return evaluation.value;
  return { fault: `${expression.text}: gives ${typeof evaluation.value}, not a bool` };
}

/** Kubernetes has whole numbers, JSON in JavaScript only doubles: CEL would refuse `replicas + 1`. */
function celOf(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item: Json) => celOf(item));
  if (isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, celOf(member)]));
  }
  return value;
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}
