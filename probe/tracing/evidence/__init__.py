"""The passages behind a fact: a Lucene index of a corpus, and the search for both of a fact's names in it."""
