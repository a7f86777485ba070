"""Durable campaigns: a journal written before and after every request, so that nobody is lost or texted twice."""
