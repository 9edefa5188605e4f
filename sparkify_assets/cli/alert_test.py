"""`sparkify alert-test`: whether a message about a failed run would arrive."""

from __future__ import annotations

from sparkify_assets.cli.output import say
from sparkify_assets.errors import UsageError
from sparkify_assets.settings import load_settings


def alert_test() -> None:
    """Send a test message to SPARKIFY_ALERT_URL, as the sensor does for a run that failed."""
    from sparkify_assets.alerts.message import Alert, message
    from sparkify_assets.alerts.send import host_of, send
    from sparkify_assets.refresh.reasons import FailedStep, Reasons

    settings = load_settings()
    if settings.alert_url is None:
        raise UsageError(
            "SPARKIFY_ALERT_URL: not set; expected the address of a webhook: https://host/path"
        )
    step = FailedStep("songplays", (settings.end_month,), "this is a test; nothing failed")
    alert = Alert(
        job="sparkify alert-test",
        run_id="00000000-0000-0000-0000-000000000000",
        ui=settings.ui_url,
        reasons=Reasons((step,)),
        lake=settings.lake,
        months=(settings.end_month,),
    )
    send(settings.alert_url, message(alert, settings.alert_form))
    say(
        f"{host_of(settings.alert_url)} took the message ({settings.alert_form}). The sensor "
        "`alerts` sends one for each run that fails, while `dagster dev` or a daemon is running."
    )
