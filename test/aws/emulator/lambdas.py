"""Event source mappings and Lambda workers, closer to AWS."""

import os
import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

# ministack sends every HTTPS request to a loopback address as plain HTTP, for the CDK's custom resources that drop
# the port. A kube-apiserver on loopback speaks TLS: only requests without a port, or to the emulator's, are meant.
DOWNGRADE = 'if (host === "127.0.0.1" || host === "localhost" || host === msHost'
NARROWED = (
    'const toEmulator = [undefined, null, "", "443", String(msPort)].includes(options.port && String(options.port));\n'
    '    if (toEmulator && (host === "127.0.0.1" || host === "localhost" || host === msHost'
)
DOWNGRADE_END = "|| (advertised && host === advertised)) {"


def _keep_tls_on_loopback() -> None:
    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    if script.count(DOWNGRADE) != 1 or script.count(DOWNGRADE_END) != 1:
        raise SystemExit("ministack's Node worker changed: look at DOWNGRADE in test/aws/emulator/lambdas.py")
    script = script.replace(DOWNGRADE, NARROWED).replace(DOWNGRADE_END, DOWNGRADE_END.replace(") {", ")) {"))
    lambda_runtime._NODEJS_WORKER_SCRIPT = script


def _run_fifo_groups_side_by_side() -> None:
    """With a batch size of 1 a batch is of one group, and a group in flight is not handed out again: many may run."""
    original = lambda_svc._sqs_esm_concurrency

    def concurrency(esm, function, config, queue=None):
        if esm.get("BatchSize", 10) == 1:
            return original(esm, function, config, None)
        return original(esm, function, config, queue)

    lambda_svc._sqs_esm_concurrency = concurrency


def _write_function_log() -> None:
    """What the functions print goes to CloudWatch Logs only; people and tests want a file."""
    path = os.environ.get("LOCAL_AWS_FUNCTION_LOG")
    if not path:
        return
    original = lambda_svc._emit_lambda_logs

    def emit(function, request_id, text, error, duration_ms, **named):
        name = (function.get("config") or function).get("FunctionName", "unknown")
        head = f"{time.strftime('%H:%M:%S')} {name} {request_id[:8]}"
        lines = [f"{head} {line}" for line in (text or "").splitlines()]
        lines.append(f"{head} END {'failed' if error else 'ok'} after {duration_ms} ms")
        with open(path, "a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")
        original(function, request_id, text, error, duration_ms, **named)

    lambda_svc._emit_lambda_logs = emit


def install() -> None:
    _write_function_log()
    _keep_tls_on_loopback()
    _run_fifo_groups_side_by_side()
