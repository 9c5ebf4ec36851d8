"""Runs or collects any suite: the door of this package."""

from __future__ import annotations

from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.suites.command_run import run_command
from goldenpath_loop.suites.pytest_run import run_pytest
from goldenpath_loop.suites.request import SuiteRequest

__all__ = ["SuiteRequest", "collect_suite", "run_suite"]


async def run_suite(request: SuiteRequest, witness: Witness) -> SuiteRun:
    """Run the suite's tests and hand over the evidence of each as soon as it is known.

    Failures, hangs, crashes and runs that never start are part of the result. Served revisions are not read
    here; whoever knows the deployment fills them in.
    """
    if request.suite.is_pytest:
        return await run_pytest(request, witness)
    return await run_command(request, witness)


async def collect_suite(request: SuiteRequest, witness: Witness) -> SuiteRun:
    """Ask which tests the suite has, without running them; results name what could not be collected.

    A command names its tests only by running, so nothing is known of it beforehand: with a report the
    collection is empty, without one it is the suite itself.
    """
    if request.suite.is_pytest:
        return await run_pytest(request, witness, collect_only=True)
    known = () if request.suite.junit else (request.suite.name,)
    return SuiteRun(suite=request.suite.name, ended="completed", collected=known)
