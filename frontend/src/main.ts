/** The entry: shows the data that stand in the page itself. */

import "./language";
import "uplot/dist/uPlot.min.css";
import "./page.css";
import type { Page } from "./data";
import { show } from "./page";

const page = JSON.parse(document.getElementById("data")!.textContent!) as Page;
show(document.getElementById("page")!, page);
