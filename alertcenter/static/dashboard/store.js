// What do we know? Groups by id, with guesses of ours laid over the server's rows.

export class Store {
  constructor(changed) {
    this.rows = new Map();
    this.guesses = new Map();
    this.changed = changed;
  }

  /** Return the group as it is to be shown. */
  now(id) {
    const row = this.rows.get(id);
    const guess = this.guesses.get(id);
    return row && guess ? { ...row, ...guess } : row;
  }

  all() {
    return [...this.rows.keys()].map((id) => this.now(id));
  }

  replace(groups) {
    this.rows = new Map(groups.map((group) => [group.id, group]));
    this.changed([...this.rows.keys()]);
  }

  /** Take rows; an older version never overwrites a newer one. */
  merge(groups, gone = []) {
    const touched = [];
    for (const group of groups) {
      const known = this.rows.get(group.id);
      if (known && known.version > group.version) continue;
      if (known && group.version > known.version) this.guesses.delete(group.id);
      this.rows.set(group.id, group);
      touched.push(group.id);
    }
    for (const id of gone) {
      this.rows.delete(id);
      this.guesses.delete(id);
    }
    this.changed([...touched, ...gone]);
  }

  guess(id, values) {
    this.guesses.set(id, { ...values, pending: true });
    this.changed([id]);
  }

  confirm(id, state) {
    const guess = this.guesses.get(id);
    if (!guess) return;
    this.guesses.set(id, { ...guess, state: state || guess.state, pending: false });
    this.changed([id]);
  }

  rollback(id) {
    this.guesses.delete(id);
    this.changed([id]);
  }
}
