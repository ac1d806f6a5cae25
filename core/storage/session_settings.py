"""What a session of PostgreSQL is told before long work, whatever the server's own settings."""

TEXT_FORMS = {"datestyle": "ISO, YMD", "timezone": "UTC", "intervalstyle": "postgres", "extra_float_digits": "3"}
"""How COPY writes and reads values as text."""

# transaction_timeout is not known before PostgreSQL 17.
PATIENT = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""
"""Nothing is ended for the time it takes."""
