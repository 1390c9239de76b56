"""Folding of shapes that do not move: counts are linear in the flux of each true bin.

The responses of all sources are one list of blocks: a block is the response of one source in
32 neighbouring bins of one energy, for a band of true bins. Products read the list once, in
pieces that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import on_accelerator
from gammajax.fold.round import flux_in_bins
from gammajax.fold.round_plan import rounded
from gammajax.fold.rows import LARGE, NOWHERE
from gammajax.fold.staying import StayingFold

CACHED, MANY = 2**18, 2**28
"""Numbers of a piece of the list on a processor, and elsewhere."""


class Blocks(NamedTuple):
    """A list of blocks, in pieces.

    ``row`` and ``target`` (block of bins), ``first`` (true bin of the band) have the shape
    (piece, block), ``response`` (piece, block, band, width).
    """

    row: Any
    target: Any
    first: Any
    response: Any


class LinearFold(StayingFold):
    """Responses of frozen shapes, made once.

    Attributes
    ----------
    dataset, source : array of int, shape (row,)
        See `~gammajax.fold.rows.Fold`.
    row, target : array of int, shape (piece, block)
        The row of a block, and the block of bins that it adds to, or `NOWHERE`.
    energy_min, energy_max : array, shape (axis, energy_true)
    axis : array of int, shape (row,)
    response : array, shape (piece, block, band, width)
        Counts of a bin for a unit flux in each of a band of true bins.
    first : array of int, shape (piece, block)
        The first true bin of the band.
    total : array, shape (row, energy_true)
        Counts in the mask for a unit flux in each true bin.
    quadrature : int
        Nodes for spectra without a closed integral.
    run : int
        How many blocks in a row add to the same bins, see `by_target`; 1 in the order of rows.
    """

    dataset: Any
    source: Any
    target: Any
    row: Any
    energy_min: Any
    energy_max: Any
    axis: Any
    response: Any
    first: Any
    total: Any
    quadrature: int = eqx.field(static=True)
    run: int = eqx.field(static=True)

    @property
    def width(self) -> int:
        """Bins of a block."""
        return self.response.shape[3]

    def rows(self) -> Any:
        """What goes by row."""
        return (self.axis,)

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """The flux in each true bin."""
        return flux_in_bins(component, self, here[0]), jnp.zeros(0)

    def added(self, tables: Any, shape: tuple[int, int]) -> Any:
        """The counts of the fluxes of all rows, summed, shape (dataset, bin + 1)."""

        def step(bins: Any, piece: Blocks) -> Any:
            share = self._taken(tables, piece)[..., None]
            each = -1, self.run * share.shape[1]
            responses = piece.response.reshape(*each, self.width)
            found = jnp.sum(responses * share.reshape(*each, 1), axis=1)
            place = self._place(piece, shape)[:: self.run]
            return bins.at[place].add(found, mode="drop", indices_are_sorted=self.run > 1)

        bins = self._over(step, jnp.zeros((shape[0] * self._per(shape), self.width)))
        total = jnp.sum(jnp.asarray(self.total) * tables, axis=1)
        totals = jnp.zeros(shape[0]).at[jnp.asarray(self.dataset)].add(total)
        return jnp.concatenate([bins.reshape(shape[0], -1), totals[:, None]], axis=1)

    def worth(self, tables: Any, weight: Any) -> Any:
        """What each flux adds to the weighted counts, shape (row, energy_true)."""
        blocks, totals = self._weights(weight)

        def step(found: Any, piece: Blocks) -> Any:
            share = blocks(piece)[:, None]
            worth = _summed(piece.response * share)
            return found.at[piece.row[:, None], self._energies(piece)].add(worth)

        return self._over(step, jnp.asarray(self.total) * totals[:, None])

    def products(self, slopes: Any, weight: Any) -> Any:
        """Weighted products of the counts of the slots of each row, (row, slot, slot)."""
        blocks, totals = self._weights(weight)
        number = slopes.shape[1]
        total = jnp.einsum("rse,re->rs", slopes, jnp.asarray(self.total))
        of_totals = total[:, :, None] * total[:, None, :] * totals[:, None, None]
        if self.response.shape[2] == 1:
            squares = self._squares(blocks)
            return of_totals + jnp.einsum("rse,re,rte->rst", slopes, squares, slopes)
        one, two = np.triu_indices(number)

        def step(found: Any, piece: Blocks) -> Any:
            bins = self.by_piece(slopes, piece)
            product = bins[:, one] * bins[:, two] * blocks(piece)[:, None]
            return found.at[piece.row].add(_summed(product))

        found = self._over(step, jnp.zeros((slopes.shape[0], one.size)))
        square = jnp.zeros((slopes.shape[0], number, number))
        return of_totals + square.at[:, one, two].set(found).at[:, two, one].set(found)

    def _squares(self, blocks: Callable[[Blocks], Any]) -> Any:
        """Weighted squares of responses, where true bins do not mix: (row, energy_true)."""

        def step(found: Any, piece: Blocks) -> Any:
            response = piece.response[:, 0].astype(jnp.float64)
            square = _summed(response**2 * blocks(piece))
            return found.at[piece.row, piece.first].add(square)

        return self._over(step, jnp.zeros(self.total.shape))

    def by_slot(self, slopes: Any, column: Any, number: int, shape: tuple[int, int]) -> Any:
        """The counts of the slots, summed by parameter, shape (number, dataset, bin + 1)."""

        def step(bins: Any, piece: Blocks) -> Any:
            place = self._place(piece, shape)[:, None]
            return bins.at[column[piece.row], place].add(
                self.by_piece(slopes, piece), mode="drop"
            )

        bins = jnp.zeros((number, shape[0] * self._per(shape), self.width))
        bins = self._over(step, bins).reshape(number, shape[0], -1)
        total = jnp.einsum("rse,re->rs", slopes, jnp.asarray(self.total))
        totals = jnp.zeros((number, shape[0]))
        totals = totals.at[column, jnp.asarray(self.dataset)[:, None]].add(total, mode="drop")
        return jnp.concatenate([bins, totals[..., None]], axis=-1)

    def _over(self, step: Callable[[Any, Blocks], Any], start: Any) -> Any:
        """What a step makes of all pieces of the list, one after the other."""
        pieces = Blocks(self.row, self.target, self.first, self.response)
        pieces = jax.tree_util.tree_map(jnp.asarray, pieces)
        if pieces.row.shape[0] == 1:
            return step(start, Blocks(*(leaf[0] for leaf in pieces)))
        return jax.lax.scan(lambda carry, piece: (step(carry, piece), None), start, pieces)[0]

    def _per(self, shape: tuple[int, int]) -> int:
        """Blocks of bins in a dataset."""
        return (shape[1] - 1) // self.width

    def _place(self, piece: Blocks, shape: tuple[int, int]) -> Any:
        """Where pieces are added, counted over all datasets; beyond the end for padding."""
        return self.placed(piece, self._per(shape))

    def placed(self, piece: Blocks, per: int) -> Any:
        """The blocks of bins of a piece, over datasets of ``per`` each, or `NOWHERE`."""
        place = jnp.asarray(self.dataset)[piece.row] * per + piece.target
        return jnp.where(piece.target == NOWHERE, NOWHERE, place)

    def _weights(self, weight: Any) -> tuple[Callable[[Blocks], Any], Any]:
        """A function that takes the weights of the bins of blocks, and those of totals."""
        weight = jnp.asarray(weight)
        blocks = weight[:, :-1].reshape(-1, self.width)

        def taken(piece: Blocks) -> Any:
            place = self._place(piece, weight.shape)
            return blocks.at[place].get(mode="fill", fill_value=0.0)

        return taken, weight[jnp.asarray(self.dataset), -1]

    def _energies(self, piece: Blocks) -> Any:
        return piece.first[:, None] + jnp.arange(self.response.shape[2])

    def _taken(self, tables: Any, piece: Blocks) -> Any:
        return tables[piece.row[:, None], self._energies(piece)]

    def by_piece(self, slopes: Any, piece: Blocks) -> Any:
        """The counts of the slots in the bins of blocks, shape (block, slot, width)."""
        share = jnp.moveaxis(slopes, 1, -1)[piece.row[:, None], self._energies(piece)]
        return jnp.sum(piece.response[:, :, None] * share[..., None], axis=1)


def list_shape(number: int, band: int, width: int, run: int = 1) -> tuple[int, int]:
    """Pieces of a list of blocks, and blocks in each, which are whole runs."""
    numbers = MANY if on_accelerator() else CACHED
    size = max(numbers // (band * width * run), 1) * run
    pieces = rounded(-(-number // size))
    if pieces > 1:
        return pieces, size
    return 1, -(-rounded(max(number, 1)) // run) * run


def _summed(products: Any) -> Any:
    """The sum over the last axis.

    On a processor products and sums are apart: the sum is then one of a matrix and a vector.
    """
    if on_accelerator():
        return jnp.sum(products, axis=-1)
    return jax.lax.optimization_barrier(products) @ jnp.ones(products.shape[-1])


def by_target(blocks: Blocks, dataset: np.ndarray) -> tuple[Blocks, int]:
    """Blocks in the order of what they add to, for accelerators.

    Those of the same bins are one or more runs of a length that is returned too: each run is
    added up before it is added to its bins. The last run of some bins is filled with zeros.
    """
    flat = Blocks(*(leaf.reshape(-1, *leaf.shape[2:]) for leaf in blocks))
    used = np.nonzero(flat.target != NOWHERE)[0]
    own, target = dataset[flat.row[used]], flat.target[used]
    order = np.lexsort((target, own))
    used, own, target = used[order], own[order], target[order]
    new = (np.diff(own, prepend=-1) != 0) | (np.diff(target, prepend=-1) != 0)
    counts = np.diff(np.append(np.nonzero(new)[0], used.size))
    run = run_length(used.size, counts.size)
    padded = -(-counts // run) * run
    # what is filled up is the last block of the same bins once more, with no response
    last = np.repeat(np.cumsum(counts) - 1, padded - counts)
    ends = np.repeat(np.cumsum(counts), padded - counts)
    taken = np.insert(np.arange(used.size), ends, last)
    filled = np.insert(np.zeros(used.size, dtype=bool), ends, True)
    band, width = blocks.response.shape[2:]
    pieces, size = list_shape(taken.size, band, width, run)
    room = pieces * size

    def laid_out(leaf: np.ndarray, beyond: int) -> np.ndarray:
        found = np.full((room, *leaf.shape[1:]), beyond, dtype=leaf.dtype)
        found[: taken.size] = leaf[used[taken]]
        return found

    row, target, first, response = map(laid_out, flat, (0, NOWHERE, 0, 0))
    response[: taken.size][filled] = 0
    made = Blocks(row, target, first, response)
    return Blocks(*(leaf.reshape(pieces, size, *leaf.shape[1:]) for leaf in made)), run


def run_length(number: int, places: int) -> int:
    """The length of runs for a number of blocks in places; less than a tenth is filled up."""
    mean = number / max(places, 1)
    return 2 ** int(np.clip(np.log2(max(mean, 1.0) / 8), 0, 4))


def in_blocks(
    places: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    firsts: Sequence[np.ndarray],
    width: int,
) -> Blocks:
    """Entries of rows gathered into the blocks of bins that they belong to.

    Parameters
    ----------
    places : sequence of array of int, shape (entry,)
        The bins of each row.
    values : sequence of array, shape (entry, band)
    firsts : sequence of array of int, shape (entry,)
        The first true bin of the band of each entry, the same in all of a block.
    width : int
    """
    known = [np.unique(place // width, return_index=True) for place in places]
    number, band = sum(block.size for block, _ in known), values[0].shape[-1]
    pieces, size = list_shape(number, band, width)
    padded = pieces * size
    precise = number * band * width <= LARGE
    row, first = np.zeros((2, padded), dtype=np.int32)
    target = np.full(padded, NOWHERE, dtype=np.int32)
    response = np.zeros((padded, band, width), dtype=np.float64 if precise else np.float32)
    end = 0
    for number, (block, begin) in enumerate(known):
        here = slice(end, end + block.size)
        row[here], target[here] = number, block
        first[here] = firsts[number][begin]
        inside = np.searchsorted(block, places[number] // width)
        response[end + inside, :, places[number] % width] = values[number]
        end += block.size
    whole = Blocks(row, target, first, response)
    return Blocks(*(array.reshape(pieces, size, *array.shape[1:]) for array in whole))
