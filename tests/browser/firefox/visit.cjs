// Visits the page in Firefox: node visit.cjs ADDRESS FIREFOX FOLDER DAY, the newest day that is
// counted. Prints what it found as JSON, and saves pictures of the chart in the folder.
const { launch } = require("puppeteer-core");
const [address, program, folder, newest] = process.argv.slice(2);
const SCHEMES = { light: 1, dark: 0 }; // as Firefox's setting has them
const found = { errors: [] };

const shown = (name) =>
  document.querySelector("gradio-app #headline h2")?.textContent === `Forecast for ${name}` &&
  document.querySelector("#chart .js-plotly-plot")?.layout.meta.file.startsWith(name);

// The chart is drawn once more with the newest day; meanwhile gradio covers it.
const still = (day) =>
  document.querySelector("#chart .js-plotly-plot").layout.meta.file.endsWith(day) &&
  window.forecastPage.pending === 0 &&
  document.querySelectorAll("#chart .scatterlayer .js-line").length > 0 &&
  document.getAnimations().every(
    (each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity);

async function visit(scheme, steps) {
  const browser = await launch({
    browser: "firefox",
    executablePath: program,
    extraPrefsFirefox: { "layout.css.prefers-color-scheme.content-override": SCHEMES[scheme] },
  });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => found.errors.push(String(error)));
    await page.goto(`${address}?package=flask`);
    await page.waitForFunction(shown, {}, "flask");
    await page.waitForFunction(still, {}, newest);
    const chart = await page.waitForSelector("#chart .main-svg");
    await chart.screenshot({ path: `${folder}/${scheme}.png` });
    await steps(page);
  } finally {
    await browser.close();
  }
}

async function choose(page) {
  await page.focus("#package input");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("pytor");
  await page.waitForFunction(() => document.querySelector("#found li")?.textContent === "pytorch");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForFunction(shown, {}, "pytorch");
  found.chosen = page.url();
  await page.goBack();
  await page.waitForFunction(shown, {}, "flask");
  found.back = page.url();
}

Promise.all([visit("light", choose), visit("dark", async () => {})])
  .then(() => console.log(JSON.stringify(found)));
