"""Gates: points where a run stands until the ledger says that it may pay on."""
