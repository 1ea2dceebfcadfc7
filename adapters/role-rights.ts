import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** An action on a resource. */
export interface Right {
  readonly action: string;
  readonly resource: string;
}

/** Asks IAM what a role may do, its boundary and the policies of the organization included, without doing it. */
export class RoleRights {
  readonly #client: IAMClient;

  constructor(client: IAMClient = new IAMClient(awsClient)) {
    this.#client = client;
  }

  /** Throws Blocked where that may not be asked. */
  async isAllowed(roleArn: string, { action, resource }: Right): Promise<boolean> {
    const command = new SimulatePrincipalPolicyCommand({
      PolicySourceArn: roleArn,
      ActionNames: [action],
      ResourceArns: [resource],
    });
    try {
      const { EvaluationResults = [] } = await this.#client.send(command);
      return (
        EvaluationResults.length > 0 &&
        EvaluationResults.every(({ EvalDecision }) => EvalDecision === 'allowed')
      );
    } catch (error) {
      throw awsFault({ subject: `role ${roleArn}`, permission: 'iam:SimulatePrincipalPolicy' }, error);
    }
  }
}
