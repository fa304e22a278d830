// The charts of the home page. Their data comes with the live part; a chart is made once and then only fed.
(function () {
  "use strict";

  // Okabe and Ito's colours, which people who see red and green alike tell apart; lighter ones on a dark ground.
  const COLOURS = {
    light: { delivered: "#009e73", failed: "#d55e00", unknown: "#8a8f98", p50: "#0072b2", p95: "#cc79a7" },
    dark: { delivered: "#2fc699", failed: "#f0803c", unknown: "#9aa3b2", p50: "#56b4e9", p95: "#e9a3c9" },
  };
  const SERIES = {
    deliveries: [
      ["delivered", "Succeeded"],
      ["failed", "Failed"],
      ["unknown", "Outcome unknown"],
    ],
    latency: [
      ["p50", "p50 (half of them)"],
      ["p95", "p95 (95 of 100)"],
    ],
  };

  const charts = new Map();
  let data = null;

  const isDark = () => document.documentElement.classList.contains("dark");
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const milliseconds = (value) => (value < 1000 ? `${Math.round(value)} ms` : `${+(value / 1000).toFixed(1)} s`);

  function dataset(name, [key, label]) {
    const colour = COLOURS[isDark() ? "dark" : "light"][key];
    const common = { label, data: data[key], backgroundColor: colour, borderColor: colour };
    if (name === "deliveries") return { ...common, stack: "all", borderRadius: 2, categoryPercentage: 0.9, barPercentage: 0.9, maxBarThickness: 26 };
    return { ...common, borderWidth: 2, borderDash: key === "p95" ? [5, 4] : [], pointRadius: alone(data[key]), pointHoverRadius: 4, tension: 0.25, spanGaps: false };
  }

  // A value without neighbours makes no line: it is shown as a point.
  function alone(values) {
    return values.map((value, index) => (value !== null && values[index - 1] == null && values[index + 1] == null ? 3 : 0));
  }

  function options(name) {
    const text = variable(isDark() ? "--color-base-400" : "--color-base-500");
    const line = variable(isDark() ? "--color-base-800" : "--color-base-200");
    const isLatency = name === "latency";
    return {
      animation: false,
      layout: { padding: { right: 6 } },
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          boxPadding: 4,
          filter: (item) => item.raw !== null && (isLatency || item.raw > 0 || item.datasetIndex === 0),
          callbacks: { label: (item) => ` ${item.dataset.label}: ${isLatency ? milliseconds(item.raw) : item.formattedValue}` },
        },
      },
      scales: {
        x: { stacked: !isLatency, grid: { display: false }, border: { color: line }, ticks: { color: text, maxRotation: 0, autoSkipPadding: 16 } },
        y: {
          stacked: !isLatency,
          beginAtZero: true,
          border: { display: false },
          grid: { color: line },
          ticks: { color: text, precision: 0, maxTicksLimit: 5, callback: (value) => (isLatency ? milliseconds(value) : value.toLocaleString()) },
        },
      },
    };
  }

  function draw(card) {
    const name = card.dataset.chart;
    const canvas = card.querySelector("canvas");
    const datasets = SERIES[name].map((series) => dataset(name, series));
    canvas.setAttribute("aria-label", data.words[name]);
    card.querySelector(".sb-canvas-empty").hidden = datasets.some((each) => each.data.some((value) => value));
    const chart = charts.get(name);
    if (chart) {
      chart.data.labels = data.labels;
      chart.data.datasets = datasets;
      chart.options = options(name);
      chart.update("none");
    } else {
      charts.set(name, new Chart(canvas, { type: name === "latency" ? "line" : "bar", data: { labels: data.labels, datasets }, options: options(name) }));
    }
    legend(card, datasets);
    table(card, name);
  }

  function legend(card, datasets) {
    card.querySelector(".sb-legend").replaceChildren(
      ...datasets.map((each) => {
        const item = document.createElement("li");
        const mark = document.createElement("span");
        mark.style.background = each.backgroundColor;
        mark.className = each.borderDash && each.borderDash.length ? "sb-mark sb-mark-dashed" : "sb-mark";
        item.append(mark, each.label);
        return item;
      }),
    );
  }

  function row(cells, tag) {
    const line = document.createElement("tr");
    cells.forEach((text, index) => {
      const cell = document.createElement(tag === "th" || index === 0 ? "th" : "td");
      cell.scope = tag === "th" ? "col" : "row";
      cell.textContent = text;
      line.append(cell);
    });
    return line;
  }

  // Only what is open is filled in, and only the stretches in which something was sent.
  function table(card, name) {
    const details = card.querySelector("details");
    if (!details.open) return;
    const series = SERIES[name];
    const rows = data.labels
      .map((label, index) => [label, ...series.map(([key]) => data[key][index])])
      .filter((values) => values.slice(1).some((value) => value));
    const shown = (value) => (value === null ? "–" : name === "latency" ? milliseconds(value) : value.toLocaleString());
    const head = document.createElement("thead");
    head.append(row(["From", ...series.map(([, label]) => label)], "th"));
    const body = document.createElement("tbody");
    body.append(...rows.map(([label, ...values]) => row([label, ...values.map(shown)], "td")));
    if (!rows.length) body.append(row(["Nothing was sent"], "td"));
    details.querySelector("table").replaceChildren(head, body);
  }

  function drawAll() {
    const source = document.getElementById("sb-chart-data");
    if (!source) return;
    data = JSON.parse(source.textContent);
    for (const card of document.querySelectorAll("[data-chart]")) draw(card);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector("[data-chart]")) return;
    Chart.defaults.font.family = "Inter, system-ui, sans-serif";
    drawAll();
    document.fonts.ready.then(drawAll); // what was measured in another font is drawn anew
    document.body.addEventListener("htmx:afterSwap", (event) => event.detail.target.id === "sb-live" && drawAll());
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
    for (const details of document.querySelectorAll("[data-chart] details")) {
      details.addEventListener("toggle", () => table(details.closest("[data-chart]"), details.closest("[data-chart]").dataset.chart));
    }
  });
})();
