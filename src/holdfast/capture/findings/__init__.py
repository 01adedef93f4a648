"""The catalogue of findings: one small module each, with an `ENTRY` and what recognises it.

A module has `recognise(view)`, which yields findings of one session, or `recognise_case(case)`, which yields
(session or None, finding) and sees all sessions at once. Modules without an `ENTRY` are shared help.
"""
