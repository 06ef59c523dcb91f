<?php
// mysqli and PDO over mysqlnd: logins with and without TLS, text and binary
// results, parameters, several statements, LOCAL INFILE, long data, other users.
[$self, $port, $scratch] = $argv;
$port = (int) $port;
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function check(bool $right, string $what): void {
    if (!$right) { fwrite(STDERR, "wrong: $what\n"); exit(1); }
}

function open(int $port, string $user, string $password, bool $tls, int $flags = 0): mysqli {
    $c = mysqli_init();
    $c->options(MYSQLI_OPT_LOCAL_INFILE, true);
    if ($tls) { $flags |= MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT; }
    $c->real_connect('127.0.0.1', $user, $password, 'here', $port, null, $flags);
    return $c;
}

foreach ([false, true] as $tls) {
    for ($round = 0; $round < 2; $round++) {
        foreach ([['sha', 'secret'], ['native', 'secret'], ['empty', ''], ['native_empty', '']] as [$user, $password]) {
            $c = open($port, $user, $password, $tls);
            $who = $c->query('who')->fetch_row()[0];
            check(str_starts_with($who, "$user|tls=" . ($tls ? 'true' : 'false')), $who);
            $c->close();
        }
        try { open($port, 'sha', 'wrong', $tls); check(false, 'a wrong password was accepted'); }
        catch (mysqli_sql_exception $e) { check($e->getCode() === 1045, $e->getMessage()); }
    }
}
foreach ([0, MYSQLI_CLIENT_COMPRESS] as $flags) {
    $c = open($port, 'sha', 'secret', false, $flags);
    $row = $c->query('types')->fetch_assoc();
    check($row['ubig'] === '18446744073709551615' && $row['varchar'] === 'snowman ☃ 🎿', 'text types');
    $stmt = $c->prepare('types'); $stmt->execute();
    $row = $stmt->get_result()->fetch_assoc();
    check($row['tiny'] === -128 && $row['ubig'] === '18446744073709551615' && $row['date'] === '2024-02-29', 'binary types');
    check($row['time'] === '-838:59:59.000001' && $row['double'] === 1.7976931348623157e308, 'binary times');
    $stmt->close();
    foreach ([0, 1, 1000, 100000] as $n) { check($c->query("rows $n")->num_rows === $n, "rows $n"); }
    foreach ([0, 65536, 2 ** 24 - 4, 2 ** 24] as $n) { check(strlen($c->query("bytes $n")->fetch_row()[0]) === $n, "bytes $n"); }
    $stmt = $c->prepare('echo ? ? ? ?');
    [$i, $d, $s, $n] = [-5, 1.5, 'text ✓', null];
    $stmt->bind_param('idss', $i, $d, $s, $n);
    for ($round = 0; $round < 2; $round++) {
        $stmt->execute();
        check($stmt->get_result()->fetch_row() === [-5, 1.5, 'text ✓', null], 'parameters');
    }
    $stmt->close();
    $stmt = $c->prepare('length ?');
    $b = null; $stmt->bind_param('b', $b);
    for ($round = 0; $round < 5; $round++) { $stmt->send_long_data(0, str_repeat('x', 100000)); }
    $stmt->execute();
    check($stmt->get_result()->fetch_row() === ['500000'], 'long data');
    $stmt->close();
    $stmt = $c->prepare('rows ?');
    $stmt->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    $many = 95; $stmt->bind_param('i', $many); $stmt->execute(); $stmt->bind_result($id, $name);
    for ($seen = 0; $stmt->fetch(); $seen++) { check($name === "row number $seen", "cursor row $seen: $name"); }
    check($seen === 95, "cursor: $seen rows");
    $stmt->close();
    $c->multi_query('echo a; affected 7; rows 2');
    check($c->store_result()->fetch_row() === ['a'], 'first result');
    $c->next_result(); check($c->affected_rows === 7, 'second result');
    $c->next_result(); check($c->store_result()->num_rows === 2, 'third result');
    check(!$c->more_results(), 'no fourth result');
    try { $c->query('error'); check(false, 'no error'); } catch (mysqli_sql_exception $e) { check($e->getCode() === 1146, $e->getMessage()); }
    file_put_contents("$scratch/php.txt", str_repeat("line\n", 30000));
    $c->query("infile $scratch/php.txt"); check($c->affected_rows === 30000, 'infile');
    check($c->select_db('there') && $c->query('schema')->fetch_row() === ['there'], 'select_db');
    check($c->change_user('other', 'other', 'elsewhere'), 'change_user');
    check(str_starts_with($c->query('who')->fetch_row()[0], 'other|'), 'changed user');
    check(str_starts_with($c->stat(), 'Uptime'), 'stat');
    $c->close();
}
foreach ([true, false] as $emulate) {
    $pdo = new PDO("mysql:host=127.0.0.1;port=$port;dbname=here;charset=utf8mb4", 'sha', 'secret',
        [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulate]);
    check($pdo->query('types')->fetch(PDO::FETCH_ASSOC)['varchar'] === 'snowman ☃ 🎿', 'PDO types');
    if (!$emulate) {
        $stmt = $pdo->prepare('echo ? ?'); $stmt->execute(['a', null]);
        check($stmt->fetch(PDO::FETCH_NUM) === ['a', null], 'PDO parameters');
    }
    try { $pdo->query('error'); check(false, 'no error'); } catch (PDOException $e) { check($e->getCode() === '42S02', $e->getMessage()); }
}
echo "ok ", PHP_VERSION, "\n";
