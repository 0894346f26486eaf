"""The index: disposable, rebuilt and never migrated; everything in it can be read again from the sources."""
