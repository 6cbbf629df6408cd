// A table that is a stack of cards on a narrow screen. Everything is text to it: Vue escapes what it shows.
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export default {
  template: `
    <div class="rows">
      <p v-if="!rows.length" class="empty">{{ empty }}</p>
      <table v-else :aria-label="label">
        <thead>
          <tr><th v-for="c in columns" :key="c.name" scope="col" :class="'k-' + c.kind">{{ c.label }}</th></tr>
        </thead>
        <tbody>
          <tr v-for="r in rows" :key="r.key" :data-key="r.key">
            <td v-for="c in columns" :key="c.name" :data-label="c.label" :class="['k-' + c.kind, { lacking: lacks(r, c) }]">
              <span v-if="c.kind === 'actions'" class="actions">
                <button v-for="a in r.actions || []" :key="a.act" type="button" class="act" :class="'act-' + a.act"
                  :title="a.label" :aria-label="a.label + ' ' + (r.about || r.key)" :disabled="a.off || null"
                  @click="$emit('act', { key: r.key, act: a.act })">
                  <i class="material-icons" aria-hidden="true">{{ a.icon }}</i>
                </button>
              </span>
              <time v-else-if="c.kind === 'time'" :datetime="cell(r, c).text" :title="whole(cell(r, c).text)">{{
                ago(cell(r, c).text)
              }}</time>
              <template v-else>
                <span v-if="cell(r, c).chip" class="chip" :class="'tone-' + cell(r, c).chip">{{ cell(r, c).text }}</span>
                <a v-else-if="cell(r, c).href" :href="cell(r, c).href" :title="cell(r, c).title || cell(r, c).text">{{
                  cell(r, c).text
                }}</a>
                <span v-else class="value" :title="cell(r, c).title">{{ cell(r, c).text }}</span>
                <span v-if="cell(r, c).mark" class="chip" :class="'tone-' + (cell(r, c).markTone || 'warn')">{{ cell(r, c).mark }}</span>
                <small v-if="cell(r, c).note" class="note">{{ cell(r, c).note }}</small>
                <span v-if="cell(r, c).part !== undefined" class="bar" aria-hidden="true">
                  <span :style="{ width: Math.max(1, 100 * cell(r, c).part) + '%' }"></span>
                </span>
              </template>
            </td>
          </tr>
        </tbody>
      </table>
    </div>
  `,
  props: { columns: Array, rows: Array, empty: String, label: String },
  emits: ["act"],
  data() {
    return { now: Date.now(), timer: null };
  },
  mounted() {
    if (this.columns.some((c) => c.kind === "time")) this.timer = setInterval(() => (this.now = Date.now()), 1000);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  methods: {
    cell(row, column) {
      const value = row[column.name];
      if (value === null || value === undefined) return { text: "–" };
      return typeof value === "object" ? value : { text: value };
    },
    lacks(row, column) {
      return column.kind !== "actions" && [null, undefined, ""].includes(row[column.name]);
    },
    ago(text) {
      const at = Date.parse(text);
      if (Number.isNaN(at)) return "–";
      const seconds = Math.round((at - this.now) / 1000);
      if (Math.abs(seconds) < 1) return new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" }).format(0, "second");
      const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size);
      return new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "narrow" }).format(Math.trunc(seconds / size), unit);
    },
    whole(text) {
      const at = new Date(text);
      return Number.isNaN(at.getTime()) ? "" : at.toLocaleString(document.documentElement.lang);
    },
  },
};
