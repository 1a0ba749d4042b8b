"""Tests of deployment/: what is asked, checked, kept and shown before AWS is changed."""
