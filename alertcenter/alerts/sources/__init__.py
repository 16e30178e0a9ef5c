"""Which senders do we understand? One file each; a parser is a pure function."""
