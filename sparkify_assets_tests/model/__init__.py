"""The protocol of `docs/protocol.md` as a small model, explored in every order of its steps.

`state` is what all processes see, `process` what one of them knows and how it commits, `runs`,
`builds`, `releases` and `upkeep` are the steps; `promises` says what must hold, `explore` goes
through all orders, `worlds` says what from, and `mutations` breaks one rule of the protocol at a
time.
"""
