import {
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListEventSourceMappings,
} from '@aws-sdk/client-lambda';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** How a function stands, in Lambda's own words. */
export interface FunctionState {
  readonly state: string;
  readonly update: string;
  readonly why: string;
  readonly roleArn: string;
}

/** A queue that Lambda reads for a function. */
export interface FunctionSource {
  readonly state: string;
  readonly why: string;
  /** Messages of it that may be worked on at once; 0 where nothing bounds them. */
  readonly atOnce: number;
}

/** Functions as Lambda has them. Throws Blocked where that may not be asked. */
export class FunctionStates {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient = new LambdaClient(awsClient)) {
    this.#client = client;
  }

  async state(name: string): Promise<FunctionState> {
    try {
      const found = await this.#client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      const { State = 'unknown', LastUpdateStatus = 'unknown', StateReason, Role = '' } = found;
      const why = found.LastUpdateStatusReason ?? StateReason ?? '';
      return { state: State, update: LastUpdateStatus, why, roleArn: Role };
    } catch (error) {
      throw awsFault({ subject: `function ${name}`, permission: 'lambda:GetFunctionConfiguration' }, error);
    }
  }

  async sources(name: string): Promise<readonly FunctionSource[]> {
    const found: FunctionSource[] = [];
    try {
      const pages = paginateListEventSourceMappings({ client: this.#client }, { FunctionName: name });
      for await (const { EventSourceMappings = [] } of pages) {
        for (const { State = 'unknown', StateTransitionReason = '', ScalingConfig } of EventSourceMappings) {
          const atOnce = ScalingConfig?.MaximumConcurrency ?? 0;
          found.push({ state: State, why: StateTransitionReason, atOnce });
        }
      }
      return found;
    } catch (error) {
      throw awsFault({ subject: `function ${name}`, permission: 'lambda:ListEventSourceMappings' }, error);
    }
  }

  /** Calls that the account and region may have at once, those left out that are reserved for some function. */
  async unreserved(): Promise<number> {
    try {
      const { AccountLimit } = await this.#client.send(new GetAccountSettingsCommand({}));
      return AccountLimit?.UnreservedConcurrentExecutions ?? AccountLimit?.ConcurrentExecutions ?? 0;
    } catch (error) {
      throw awsFault({ subject: 'limits of Lambda', permission: 'lambda:GetAccountSettings' }, error);
    }
  }
}
