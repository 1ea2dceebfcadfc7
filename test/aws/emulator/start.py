"""Starts ministack with those gaps closed that trueup's stack would fall into; each module says which and how."""

import guard

guard.split()

# The emulator is imported after the fork only, so that the guard stays small.
import alarms  # noqa: E402
import lambdas  # noqa: E402
import resources  # noqa: E402
import routes  # noqa: E402
import schedules  # noqa: E402
from ministack.app import main  # noqa: E402

for gap in (alarms, lambdas, resources, routes, schedules):
    gap.install()
main()
