"""Asset checks: `specs` names them all, `raw` asks the ledger, `plays` compares tables with events.

Keys and schemas are audited before a commit (see `refresh.audit`); `results` turns findings of any
kind into Dagster's evaluations, one for each month.
"""
