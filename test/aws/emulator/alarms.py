"""CloudWatch alarms as AWS evaluates them: per dimension set, per period, with missing data, on a clock.

ministack looks at an alarm only when a metric arrives, over all dimensions at once, and knows no missing data: an
alarm of "not breaching" never returned to OK and one of "breaching" never fired. It has no AWS/SQS metrics either.
"""

import logging
import os
import threading
import time

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cloudwatch, sqs

logger = logging.getLogger("alarms")

# Alarm seconds that pass in one real second. Periods shrink by it, so nobody waits a minute for a state change.
SPEED = float(os.environ.get("LOCAL_AWS_ALARM_SPEED", "1"))
TICK_SECONDS = 1.0
QUEUE_METRIC_SECONDS = 10.0 / SPEED

COMPARE = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def _points(alarm: dict) -> list:
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    return cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []


def _breaches(alarm: dict, now: float) -> list:
    """One verdict a period, newest first: True, False, or None where there is no data and no rule for that."""
    seconds = alarm.get("Period", 60) / SPEED
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    missing = {"breaching": True, "notBreaching": False}.get(alarm.get("TreatMissingData"))
    compare = COMPARE[alarm["ComparisonOperator"]]
    points = _points(alarm)
    verdicts = []
    for index in range(alarm.get("EvaluationPeriods", 1)):
        end = now - index * seconds
        inside = [point for point in points if end - seconds < point["Timestamp"] <= end]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside) if inside else None
        verdicts.append(missing if value is None else compare(value, alarm["Threshold"]))
    return verdicts


def _state(alarm: dict, now: float) -> str:
    verdicts = _breaches(alarm, now)
    if all(verdict is None for verdict in verdicts):
        return alarm["StateValue"] if alarm.get("TreatMissingData") == "ignore" else "INSUFFICIENT_DATA"
    needed = alarm.get("DatapointsToAlarm") or len(verdicts)
    return "ALARM" if sum(verdict is True for verdict in verdicts) >= needed else "OK"


def evaluate(alarm: dict) -> None:
    """Moves one alarm to the state its metric asks for now, records the change and sends its actions."""
    if not alarm.get("Namespace") or alarm.get("ComparisonOperator") not in COMPARE:
        return
    old, new = alarm["StateValue"], _state(alarm, time.time())
    if old == new:
        return
    reason = f"{alarm['MetricName']} {alarm['ComparisonOperator']} {alarm['Threshold']}: {old} -> {new}"
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _scopes(store) -> dict:
    """The values of an account- and region-scoped store, grouped by scope."""
    grouped = {}
    for (account, region, _key), value in list(store._data.items()):
        grouped.setdefault((account, region), []).append(value)
    return grouped


def _send_queue_metrics() -> None:
    for (account, region), queues in _scopes(sqs._queues).items():
        set_request_account_id(account)
        set_request_region(region)
        for queue in queues:
            sqs._refresh_counts(queue)
            name = queue["attributes"]["QueueArn"].rsplit(":", 1)[1]
            for attribute, metric in (
                ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesVisible"),
                ("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesNotVisible"),
            ):
                value = float(queue["attributes"][attribute])
                cloudwatch.record_metric("AWS/SQS", metric, value, "Count", {"QueueName": name})


def _run() -> None:
    queue_metrics_due = 0.0
    while True:
        time.sleep(TICK_SECONDS)
        try:
            if time.time() >= queue_metrics_due:
                queue_metrics_due = time.time() + QUEUE_METRIC_SECONDS
                _send_queue_metrics()
            for (account, region), alarms in _scopes(cloudwatch._alarms).items():
                set_request_account_id(account)
                set_request_region(region)
                for alarm in alarms:
                    evaluate(alarm)
        except Exception:
            logger.exception("alarm clock")


def install() -> None:
    cloudwatch._evaluate_alarm = evaluate
    threading.Thread(target=_run, daemon=True, name="alarm-clock").start()
