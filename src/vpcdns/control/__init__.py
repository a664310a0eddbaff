"""The admin server: health, metrics, explanations and the console over HTTP.

Knows HTTP and how decisions look as JSON; decides nothing about a query itself. It runs in the event loop
that serves DNS, so nothing here may take long without giving queries their turn.
"""
