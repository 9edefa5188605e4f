"""Progress of a run: one line per step, with a spinner on a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status

from sparkify_assets.refresh.steps import Step


class Progress:
    """Shows steps on standard error as they start and end; nothing at all when `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, highlight=False, quiet=quiet)
        self._status = Status("", console=self._console)

    def __enter__(self) -> Progress:
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._status.stop()

    def note(self, text: str) -> None:
        """Say what is going on until the first step starts."""
        self._status.update(f"{text} …")

    def step(self, step: Step) -> None:
        """Show what became of a step."""
        if step.state == "running":
            self._status.update(f"{step.name} …")
        elif step.state == "done":
            self._console.print(f"[green]✓[/] {step.name} [dim]{step.seconds:.1f} s[/]")
        elif step.state == "retry":
            self._console.print(f"[yellow]↻[/] {step.name}: another run was quicker, again")
        else:
            self._console.print(f"[red]✗[/] {step.name} {step.state}")
