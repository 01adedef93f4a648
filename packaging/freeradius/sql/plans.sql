-- Users and plans as rows of FreeRADIUS' own tables (mods-config/sql/main/*/schema.sql). Passwords are to be changed.

INSERT INTO radcheck (username, attribute, op, value) VALUES
	('erin', 'Cleartext-Password', ':=', 'change-erin'),
	('frank', 'Cleartext-Password', ':=', 'change-frank'),
	('grace', 'Cleartext-Password', ':=', 'change-grace'),
	('heidi', 'Cleartext-Password', ':=', 'change-heidi'),
	-- a subscription of ten gigabytes a month, one of twenty hours a month, one that ends on a day
	('frank', 'Holdfast-Monthly-Octets', ':=', '10000000000'),
	('grace', 'Max-Monthly-Seconds', ':=', '72000'),
	('heidi', 'Expiration', ':=', '31 Dec 2037 23:59:59');

INSERT INTO radusergroup (username, groupname, priority) VALUES
	('erin', 'staff', 1),
	('frank', 'standard', 1),
	('grace', 'standard', 1),
	('heidi', 'guests', 1);

INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES
	('standard', 'Session-Timeout', ':=', '14400'),
	('standard', 'Idle-Timeout', ':=', '600'),
	('standard', 'Acct-Interim-Interval', ':=', '600'),
	('staff', 'Framed-Pool', ':=', 'staff'),
	('staff', 'Port-Limit', ':=', '3'),
	('staff', 'Idle-Timeout', ':=', '3600'),
	('guests', 'Filter-Id', ':=', 'guests'),
	('guests', 'Session-Timeout', ':=', '3600'),
	('guests', 'WISPr-Bandwidth-Max-Up', ':=', '2000000'),
	('guests', 'WISPr-Bandwidth-Max-Down', ':=', '10000000');
