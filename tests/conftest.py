"""What holds for every test."""

import ssl
from functools import cache

import botocore.loaders
from hypothesis import HealthCheck, settings

# How long an example takes is no promise, and depends on what else the machine does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("any machine"), max_examples=20)
settings.load_profile("any machine")

# Each HTTP client reads the same certificates, which takes longer than most tests.
ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]

# A program has one session, and a test process has thousands: they share the descriptions of services.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)
