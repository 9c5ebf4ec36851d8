"""What the agent pipeline has done since the start."""

from collections import Counter

from starlette.requests import Request
from starlette.responses import Response

from backend.events import AGENT_COMPLETED, AGENT_STARTED
from chatlib.replies import reply


class PipelineMetrics:
    """Counts runs and events."""

    def __init__(self) -> None:
        self.runs_started = 0
        self.runs_completed = 0
        self.events: Counter[str] = Counter()

    def count(self, kind: str) -> None:
        """Take note of one event."""
        self.events[kind] += 1
        if kind == AGENT_STARTED:
            self.runs_started += 1
        elif kind == AGENT_COMPLETED:
            self.runs_completed += 1


async def pipeline_metrics(request: Request) -> Response:
    """Counts of runs and of events by type."""
    metrics: PipelineMetrics = request.app.state.metrics
    return reply(
        {
            "runs_started": metrics.runs_started,
            "runs_completed": metrics.runs_completed,
            "events": dict(metrics.events),
        }
    )
