"""EventBridge Scheduler's context attributes (`<aws.scheduler.scheduled-time>`), which ministack passes on unreplaced."""

import time
import uuid

from ministack.services import eventbridge


def install() -> None:
    original = eventbridge._invoke_target

    def invoke(target, event, rule, view=None):
        if event.get("Source") != "aws.scheduler" or "<aws.scheduler." not in target.get("Input", ""):
            return original(target, event, rule, view)
        values = {
            "schedule-arn": rule.get("Arn", ""),
            "scheduled-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "execution-id": str(uuid.uuid4()),
            "attempt-number": "1",
        }
        text = target["Input"]
        for name, value in values.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return original({**target, "Input": text}, event, rule, view)

    eventbridge._invoke_target = invoke
