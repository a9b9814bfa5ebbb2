"""Tests of the page as the server sees it: answers, words, callbacks."""
