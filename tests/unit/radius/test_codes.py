"""Names as the RFCs write them."""

from holdfast.radius.codes import Code, code_name


def test_names_of_packets():
    assert [code_name(code) for code in (1, 4, 43, 41, 200)] == [
        "Access-Request",
        "Accounting-Request",
        "CoA-Request",
        "Disconnect-ACK",
        "code 200",
    ]
    assert all(code_name(code) for code in Code)
