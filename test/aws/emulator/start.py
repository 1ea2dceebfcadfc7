"""Starts ministack with those gaps closed that trueup's stack would fall into; each module says which and how."""

import alarms
import lambdas
import moves
import permissions
import resources
import routes
import schedules
from ministack.app import main

for gap in (alarms, lambdas, moves, permissions, resources, routes, schedules):
    gap.install()
main()
