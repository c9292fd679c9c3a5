# ./dev demo [--live]: installs, builds, loads real data, runs models and tests, shows the result.
# Without --live the data comes from a copy of real measurements served on loopback (demo/api_server.py).
source tools/dev/setup.sh
preset=dev
source tools/dev/configure.sh
say "Building Tarn (a first build takes some minutes)"
cmake --build --preset dev --target tarn

project=build/demo
mkdir -p "$project"
cp -r demo/project/. "$project/"
tarn=(build/tarn --project "$project")

if [ "${1:-}" = --live ]; then
  sed -i 's#weather_api: .*#weather_api: https://api.open-meteo.com#' "$project/tarn.yml"
fi

port_file=$(mktemp -u)
python3 demo/api_server.py --data "$TARN_DEPS/vega-datasets" --port 0 --port-file "$port_file" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -f "$port_file"' EXIT
for _ in $(seq 100); do
  [ -f "$port_file" ] && break
  sleep 0.05
done
sed -i "s#http://127.0.0.1:7171#http://127.0.0.1:$(cat "$port_file")#" "$project/tarn.yml"

say ""
say "tarn run: fetch, keep the raw bytes, run the models, test them"
"${tarn[@]}" run

say ""
say "The mart of the weather:"
"${tarn[@]}" sql "select city, days, temperature_min as min, temperature_max as max, temperature_mean as mean, wind_max, precipitation_sum as rain from mart_daily_weather_summary"
say "Shares:"
"${tarn[@]}" sql "select symbol, name, first_day, last_day, last_close, change_percent, worst_drawdown_percent as worst_fall from mart_price_summary"
say "S&P 500, yearly close:"
"${tarn[@]}" sql "select year(day) as year, arg_max(close, day) as close from mart_prices where symbol = 'SPX' group by 1 order by 1" --format chart

say ""
say "What to try next"
cat <<EOF
  build/tarn --project $project sql                       a shell with completion
  build/tarn --project $project sql "from mart_prices limit 5"
  build/tarn --project $project status                    what is fresh, late or failed
  build/tarn --project $project serve                     the web UI: open the link that it prints
  build/tarn init my-home && cd my-home                     a project of your own
EOF
