"""
SQL statements that SQLite and PostgreSQL understand alike.
"""

from __future__ import annotations


def upsert(table: str, key: str, others: str) -> str:
    """
    Return the statement that inserts a row, or replaces the one with the same key.

    @param key: the columns of the primary key, separated by spaces.
    @param others: the other columns, which follow the key in the table.
    """
    columns = f"{key} {others}".split()
    changes = ", ".join(f"{column} = excluded.{column}" for column in others.split())
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(key.split())}) DO UPDATE SET {changes}"
    )


def asciiLower(text: str) -> str:
    """
    Return a text as C{lower()} returns it in SQL, which changes ASCII only.
    """
    return text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")
