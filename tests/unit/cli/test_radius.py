"""`holdfast radius test`: what it prints and how it ends."""

import json

import pytest

from holdfast.cli import radius as module
from holdfast.gateway.radius_probe import Step

GOOD = Step("192.0.2.10:1812", "login by ms-chap-v2", True, "Access-Accept", answer=("Session-Timeout = 60",))
BAD = Step("192.0.2.11:1812", "login by ms-chap-v2", False, "no server answered", "Look at the firewall.")


@pytest.fixture
def probed(monkeypatch):
    """Stands in for the servers: the steps that it says, and the credentials that it was given."""
    seen = {"steps": [GOOD], "accounting": [], "credentials": None}

    async def probe(_config, credentials):
        seen["credentials"] = credentials
        for step in seen["steps"]:
            yield step

    async def accounting(_config):
        for step in seen["accounting"]:
            yield step

    monkeypatch.setattr(module, "probe", probe)
    monkeypatch.setattr(module, "probe_accounting", accounting)
    return seen


@pytest.fixture
def config(tmp_path):
    path, secrets = tmp_path / "holdfast.toml", tmp_path / "secrets"
    secrets.write_text("192.0.2.10 a-shared-secret\n")
    secrets.chmod(0o600)
    path.write_text(f'[radius]\nservers = ["192.0.2.10"]\nsecrets_file = "{secrets}"\n')
    return path


def test_a_server_that_is_well(run, probed, config):
    ran = run("radius", "test", "--config", config, "--user", "alice", "--password-stdin", stdin=b"hunter2\n")
    assert ran.code == 0
    assert "192.0.2.10:1812  login by ms-chap-v2: ok, Access-Accept\n    Session-Timeout = 60\n" in ran.out
    assert probed["credentials"].password.reveal() == b"hunter2"
    assert "hunter2" not in ran.out + ran.err


def test_one_that_is_not(run, probed, config):
    probed["steps"] = [GOOD, BAD]
    arguments = ("radius", "test", "--config", config, "--user", "alice", "--method", "pap", "--password-stdin")
    ran = run(*arguments, stdin=b"x\n")
    assert ran.code == 1
    assert "FAILED, no server answered\n  Look at the firewall." in ran.out
    assert probed["credentials"].method == "pap"
    ran = run(*arguments, "--json", stdin=b"x\n")
    assert ran.code == 1
    assert [step["good"] for step in json.loads(ran.out)] == [True, False]


def test_an_accounting_server_that_is_not_there(run, probed, config):
    probed["accounting"] = [Step("192.0.2.10:1813", "accounting, Status-Server", False, "no server is there", "ss")]
    ran = run("radius", "test", "--config", config, "--user", "alice", "--password-stdin", stdin=b"x\n")
    assert ran.code == 1
    assert "192.0.2.10:1813  accounting, Status-Server: FAILED, no server is there" in ran.out


def test_without_servers_or_a_terminal(run, config):
    assert "no RADIUS servers" in run("radius", "test", "--user", "alice").err
    assert "--password-stdin" in run("radius", "test", "--config", config, "--user", "alice").err


def test_eap_needs_no_password(run, probed, config):
    ran = run("radius", "test", "--config", config, "--user", "alice", "--method", "eap")
    assert ran.code == 0
    assert (probed["credentials"].method, probed["credentials"].password.reveal()) == ("eap", b"")
