"""What a run of the tests is told from outside, read before the environment is wiped clean."""

import os

# In CI a missing browser or database is a failure; on a developer's machine it is a skip.
REQUIRE_BROWSER = os.environ.get("AIHUB_REQUIRE_BROWSER") == "1"
REQUIRE_POSTGRES = os.environ.get("AIHUB_REQUIRE_POSTGRES") == "1"

# A database to create others from; its user must be allowed to.
POSTGRES_URL = os.environ.get(
    "AIHUB_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
