"""IAM, which the emulator enforces when AUTH=true: condition keys that it gets wrong or does not know."""

import json

from ministack.core import iam_actions, iam_evaluator


def _meet_secure_transport() -> None:
    """The emulator's port on loopback stands for AWS's TLS endpoint. Otherwise the CDK's own asset bucket, and each
    bucket, queue and topic of ours that demands aws:SecureTransport, would refuse every request."""
    original = iam_evaluator._resolve_condition_key

    def resolve(key, context):
        return "true" if key.lower() == "aws:securetransport" else original(key, context)

    iam_evaluator._resolve_condition_key = resolve


def _know_metric_namespace() -> None:
    """cloudwatch:namespace, the only way to narrow PutMetricData, which takes no resource."""
    original = iam_actions.request_tag_context

    def context(service, action, body, params):
        known = original(service, action, body, params)
        if action != "cloudwatch:PutMetricData" or body[:1] != b"{":
            return known
        return {**known, "cloudwatch:namespace": json.loads(body).get("Namespace", "")}

    iam_actions.request_tag_context = context


def _know_encryption_context() -> None:
    """kms:EncryptionContext:KEY, which lets a function open what was sealed for one purpose and nothing else."""
    original = iam_actions.request_tag_context

    def context(service, action, body, params):
        known = original(service, action, body, params)
        if not action.startswith("kms:") or body[:1] != b"{":
            return known
        given = json.loads(body).get("EncryptionContext") or {}
        return {**known, **{f"kms:encryptioncontext:{key.lower()}": value for key, value in given.items()}}

    iam_actions.request_tag_context = context


def install() -> None:
    _meet_secure_transport()
    _know_metric_namespace()
    _know_encryption_context()
