"""What tests share: real servers, builders and waiting."""
