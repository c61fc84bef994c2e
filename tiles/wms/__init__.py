"""Web Map Service 1.1.1 and 1.3.0 (OGC 01-068r3, 06-042): protocol only; what is drawn is the gate's to say."""
