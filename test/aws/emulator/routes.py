"""Routes of ours beside the AWS API, for what AWS itself or its network would do.

PUT  /_trueup/eks/NAME         {"endpoint", "certificateAuthority", "version"?, "tags"?, "status"?, "account"?, "region"?,
                               "resourcesVpcConfig"?, "authToken"?}: an EKS cluster that is there, whose DescribeCluster
                               leads to a real kube-apiserver
POST /_trueup/eks-auth/ACCOUNT/REGION/NAME/TOKEN   a TokenReview of such a kube-apiserver, answered by the emulator's own
                               authenticator: signature of the token, then the cluster's access entries
POST /_trueup/events           {"Entries": […]} as PutEvents takes them, but from an aws.* source (ECR's own events)
POST /_trueup/kill/NAME        SIGKILL to each process of that Lambda that is in the middle of an invocation
*    /_trueup/function-url/ID/PATH   the function URL of that id, for callers that can't set the Host header
"""

import json
import time

from ministack import app as gateway
from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region, set_request_account_id, set_request_region
from ministack.services import cloudwatch, eks, eventbridge, lambda_svc

PREFIX = "/_trueup/"
# A function URL's request may not be larger, as on AWS; ministack has no limit.
MAX_BODY = 6 * 1024 * 1024


async def _body(receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send, status: int, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


def _set_cluster(name: str, wanted: dict) -> tuple:
    set_request_account_id(wanted.get("account", ""))
    set_request_region(wanted.get("region"))
    arn = f"arn:aws:eks:{get_region()}:{get_account_id()}:cluster/{name}"
    eks._clusters[name] = {
        "name": name,
        "arn": arn,
        "createdAt": int(time.time()),
        "version": wanted.get("version", "1.36"),
        "endpoint": wanted["endpoint"],
        "certificateAuthority": {"data": wanted["certificateAuthority"]},
        "status": wanted.get("status", "ACTIVE"),
        "accessConfig": {"authenticationMode": "API"},
        "resourcesVpcConfig": wanted.get("resourcesVpcConfig", {}),
        "tags": wanted.get("tags", {}),
        "_auth_token": wanted.get("authToken", ""),
    }
    return 204, b""


def _review_token(rest: str, body: bytes) -> tuple:
    account, region, name, token = rest.split("/")
    status, _headers, answer = eks._handle_auth_webhook(name, account, region, body, token)
    return status, answer if isinstance(answer, bytes) else answer.encode()


def _emit(wanted: dict) -> tuple:
    status, _headers, body = eventbridge._put_events(wanted, allow_aws_source=True)
    return status, body if isinstance(body, bytes) else body.encode()


def _kill(name: str) -> tuple:
    running = [
        worker
        for workers in list(lambda_runtime._workers.values())
        for worker in list(workers)
        if worker.func_name == name and worker.in_use and worker._proc is not None
    ]
    for worker in running:
        worker._proc.kill()
    return 200, json.dumps({"killed": len(running)}).encode()


def _to_function(scope: dict, rest: str) -> dict:
    url_id, _, path = rest.partition("/")
    host = f"{url_id}.lambda-url.{gateway.os.environ['MINISTACK_REGION']}.on.aws".encode()
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "path": f"/{path}", "raw_path": f"/{path}".encode(), "headers": [*headers, (b"host", host)]}


def _too_large(scope: dict) -> bool:
    lengths = [int(value) for name, value in scope["headers"] if name == b"content-length"]
    return any(length > MAX_BODY for length in lengths)


def _counting_errors(send, url_id: str):
    """Passes the answer on and counts it in Url5xxCount, which ministack does not keep and our alarm stands on."""

    async def counted(message):
        if message["type"] == "http.response.start" and message["status"] >= 500:
            resolved = lambda_svc.resolve_function_url(url_id)
            if resolved is not None:
                cloudwatch.record_metric("AWS/Lambda", "Url5xxCount", 1, "Count", {"FunctionName": resolved[2]})
        await send(message)

    return counted


def install() -> None:
    original = gateway.app

    async def app(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            return await original(scope, receive, send)
        kind, _, rest = scope["path"][len(PREFIX):].partition("/")
        set_request_account_id("")
        set_request_region(None)
        if kind == "function-url":
            if _too_large(scope):
                await _body(receive)
                return await _answer(send, 413, b'{"message": "Request Entity Too Large"}')
            return await original(_to_function(scope, rest), receive, _counting_errors(send, rest.partition("/")[0]))
        match (scope["method"], kind):
            case ("PUT", "eks"):
                await _answer(send, *_set_cluster(rest, json.loads(await _body(receive))))
            case ("POST", "eks-auth"):
                await _answer(send, *_review_token(rest, await _body(receive)))
            case ("POST", "events"):
                await _answer(send, *_emit(json.loads(await _body(receive))))
            case ("POST", "kill"):
                await _answer(send, *_kill(rest))
            case _:
                await _answer(send, 404)

    gateway.app = app
