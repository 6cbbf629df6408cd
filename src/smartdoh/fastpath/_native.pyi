"""The compiled build has the surface of its specification."""

from smartdoh.fastpath._python import FastPath as FastPath
