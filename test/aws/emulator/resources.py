"""CloudFormation resource types that ministack's services know and its CloudFormation does not."""

import json

from ministack.services import eks, eventbridge, s3, secretsmanager
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS, _physical_name


def _checked(response: tuple) -> dict:
    status, _headers, body = response
    text = body.decode() if isinstance(body, bytes) else body
    if status >= 300:
        raise ValueError(text)
    return json.loads(text) if text else {}


def _create_archive(logical_id, props, stack_name):
    name = props.get("ArchiveName") or _physical_name(stack_name, logical_id, max_len=48)
    pattern = props.get("EventPattern", "")
    wanted = {
        **props,
        "ArchiveName": name,
        "EventSourceArn": props["SourceArn"],
        "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
        "RetentionDays": int(props.get("RetentionDays", 0)),
    }
    made = _checked(eventbridge._create_archive(wanted))
    return name, {"Arn": made["ArchiveArn"], "ArchiveName": name}


def _delete_archive(physical_id, _props):
    eventbridge._delete_archive({"ArchiveName": physical_id})


def _create_access_entry(_logical_id, props, _stack_name):
    body = {key[0].lower() + key[1:]: value for key, value in props.items() if key != "AccessPolicies"}
    made = _checked(eks._create_access_entry(props["ClusterName"], body))
    arn = made["accessEntry"]["accessEntryArn"]
    return f"{props['PrincipalArn']}|{props['ClusterName']}", {"AccessEntryArn": arn}


def _delete_access_entry(_physical_id, props):
    eks._delete_access_entry(props["ClusterName"], props["PrincipalArn"])


def _make_secret_refs_arns() -> None:
    """On AWS the Ref of a secret is its ARN, and the CDK takes `secretName` apart from it; ministack gives the name."""
    original = _RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]

    def name_of(physical_id: str) -> str:
        return secretsmanager._resolve(physical_id)[0] or physical_id

    def with_arn(result: tuple) -> tuple:
        _name, attributes = result
        return attributes["Arn"], attributes

    _RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
        **original,
        "create": lambda *args: with_arn(original["create"](*args)),
        "update": lambda physical_id, *args, **named: with_arn(original["update"](name_of(physical_id), *args, **named)),
        "delete": lambda physical_id, props: original["delete"](name_of(physical_id), props),
    }


def _heed_object_lock() -> None:
    """ObjectLockConfiguration of a bucket, which ministack's CloudFormation overlooks. Ours has no default retention."""
    original = _RESOURCE_HANDLERS["AWS::S3::Bucket"]

    def locked(result: tuple, props: dict) -> tuple:
        wanted = props.get("ObjectLockConfiguration") or {}
        if wanted.get("ObjectLockEnabled") == "Enabled":
            s3._bucket_object_lock[result[0]] = {"enabled": True, "default_retention": None}
        return result

    _RESOURCE_HANDLERS["AWS::S3::Bucket"] = {
        **original,
        "create": lambda logical_id, props, stack: locked(original["create"](logical_id, props, stack), props),
        "update": lambda physical_id, old, props, stack: locked(original["update"](physical_id, old, props, stack), props),
    }


def install() -> None:
    _make_secret_refs_arns()
    _heed_object_lock()
    added = {
        "AWS::Events::Archive": {"create": _create_archive, "delete": _delete_archive},
        "AWS::EKS::AccessEntry": {"create": _create_access_entry, "delete": _delete_access_entry},
    }
    for name, handlers in added.items():
        _RESOURCE_HANDLERS.setdefault(name, handlers)
