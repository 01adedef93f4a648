from holdfast.network.commands import (
    CLAMP,
    HELPER,
    clamp_iptables,
    clamp_nft,
    translate_iptables,
    translate_nft,
)


def test_each_is_one_line_and_can_be_typed_as_it_stands() -> None:
    commands = (*CLAMP, *HELPER, clamp_nft("1360"), clamp_iptables(1360), translate_nft(), translate_iptables())
    for command in commands:
        assert "\n" not in command
        assert command.count("'") in (0, 2)
        assert "`" not in command, "it is put into backticks"


def test_values_are_put_in() -> None:
    assert "size set 1360" in clamp_nft("1360")
    assert clamp_iptables(1360).endswith("--set-mss 1360")
    assert 'ip saddr 10.0.0.0/24 oifname "eth0" masquerade' in translate_nft("10.0.0.0/24", "eth0")
    assert (
        translate_iptables("10.0.0.0/24", "eth0")
        == "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE"
    )
