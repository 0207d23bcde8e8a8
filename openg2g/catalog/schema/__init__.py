"""What is stored: the tables, and the one place where rows and values meet. No database is opened here."""
