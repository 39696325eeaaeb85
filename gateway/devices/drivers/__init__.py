"""How devices are spoken to: a pure dialogue for each kind, and the transport that carries its bytes."""
