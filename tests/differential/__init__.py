"""Ten thousand questions to smartdoh and to unbound over the same upstream: what differs is explained."""
