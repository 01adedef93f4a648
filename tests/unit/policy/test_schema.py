"""The tables."""

from holdfast.policy.schema import metadata


def test_every_table_has_a_key() -> None:
    users = {"users", "user_policies", "user_changes"}
    assert set(metadata.tables) == {"meta", *users, "leases", "lockouts", "radius_cache", "sessions"}
    assert all(table.primary_key.columns for table in metadata.tables.values())


def test_no_column_is_meant_for_a_secret_in_the_open() -> None:
    columns = {column.name for column in metadata.tables["users"].columns}
    assert "sealed" in columns
    assert not {"password", "secret", "hash"} & columns
