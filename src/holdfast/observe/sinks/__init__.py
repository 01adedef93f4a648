"""Receivers of the event log besides its file: journald, syslog, GELF, HTTP collectors."""
