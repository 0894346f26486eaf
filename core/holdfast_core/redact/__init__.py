"""What looks like a secret, and text without it: rules as data, an engine, and what the engine is made of.

``engine.Redactor`` is what other packages use. A secret that was found lives
in no finding, log line or error: those hold its place, its rule and a keyed
fingerprint.
"""
