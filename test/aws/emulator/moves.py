"""SQS's StartMessageMoveTask, which ministack does not have: messages of a dead-letter queue go back where they came from.

On AWS it is a task that takes its time; here all is done before the answer. A dead-letter queue of ours has one source.
"""

import json
import time

from ministack.core.responses import new_uuid
from ministack.services import sqs


def _with_arn(arn: str):
    return next((queue for queue in sqs._queues.values() if queue["attributes"]["QueueArn"] == arn), None)


def _source_of(arn: str):
    for queue in sqs._queues.values():
        policy = queue["attributes"].get("RedrivePolicy")
        if policy and json.loads(policy).get("deadLetterTargetArn") == arn:
            return queue
    return None


def _start_message_move_task(data: dict, _url: str) -> dict:
    arn = data["SourceArn"]
    dead = _with_arn(arn)
    source = _source_of(arn)
    if dead is None or source is None:
        raise sqs._Err("ResourceNotFoundException", "The source must be a dead-letter queue of another queue.")
    moved, dead["messages"] = dead["messages"], []
    now = time.time()
    for message in moved:
        message.update(visible_at=now, receive_count=0, first_receive_at=None, receipt_handle=None, enqueued_at=now)
        source["messages"].append(message)
    sqs.esm_wake.set()
    return {"TaskHandle": new_uuid()}


def install() -> None:
    sqs._HANDLERS["StartMessageMoveTask"] = _start_message_move_task
