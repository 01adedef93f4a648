"""Logs of PPTP programs, judged by the same catalogue as captures."""
