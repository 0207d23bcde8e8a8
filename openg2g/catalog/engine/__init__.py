"""An open database on either engine: connections, transactions, faults, migrations."""
